#compdef model-registry
# Completion of model-registry for zsh: the program computes the candidates, names of the server included.
_model-registry() {
    local program=model-registry directive line
    local -a lines values shown options
    # The same executable as in the command line, if that names a file.
    [[ ${words[1]} == */* ]] && program=${words[1]/#\~\//$HOME/}
    lines=("${(@f)$("$program" __complete zsh -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    directive=${lines[1]}
    case $directive in
        files) _files; return ;;
        nospace) options=(-S '') ;;
    esac
    for line in "${(@)lines[2,-1]}"; do
        values+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    (( ${#values} )) && compadd "${options[@]}" -l -d shown -a -- values
}
if [[ ${funcstack[1]} == _model-registry ]]; then _model-registry "$@"; else compdef _model-registry model-registry; fi
