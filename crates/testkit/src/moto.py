"""Creates a bucket and a user who may do everything with S3, then makes the server check signatures."""

import json
import sys
import urllib.request

import boto3

url, bucket = sys.argv[1:]
keys = {"aws_access_key_id": "first", "aws_secret_access_key": "first", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket=bucket)
iam = boto3.client("iam", endpoint_url=url, **keys)
iam.create_user(UserName="tests")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="tests", PolicyName="s3", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="tests")["AccessKey"]
# With the type of a form, the server would not see the number.
request = urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", method="POST")
request.add_header("Content-Type", "text/plain")
urllib.request.urlopen(request).read()
print(key["AccessKeyId"], key["SecretAccessKey"])
