"""What boto3 takes for the same work: its transfer manager with its default settings."""

import os
import sys

import boto3
from s3transfer.manager import TransferManager

command, bucket, prefix, directory = sys.argv[1:]
client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
with TransferManager(client) as manager:
    futures = []
    if command == "download":
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                path = os.path.join(directory, item["Key"][len(prefix):])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                futures.append(manager.download(bucket, item["Key"], path))
    else:
        for name in sorted(os.listdir(directory)):
            futures.append(manager.upload(os.path.join(directory, name), bucket, prefix + name))
    for future in futures:
        future.result()
    print(len(futures))
