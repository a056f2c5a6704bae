# Completion of model-registry for fish: the program computes the candidates, names of the server included.
function __model_registry_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program model-registry
    # The same executable as in the command line, if that names a file.
    string match -q -- '*/*' $words[1]; and set program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l lines ($program __complete fish -- $words "$current" 2>/dev/null)
    if test "$lines[1]" = files
        __fish_complete_path "$current"
    else
        string join \n -- $lines[2..]
    end
end
complete --command model-registry --no-files --keep-order --arguments '(__model_registry_complete)'
