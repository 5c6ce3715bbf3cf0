"""Kinds of files that results are made of."""

#: Kind of files -> where they lie below the folder of the experiment; braces: one for each of these.
FILES = {
    "histories": "{network}/seed{seed}/history.csv",
    "moments": "{network}/seed{seed}/moments/{tap}.nc",
    "nodes": "{network}/seed{seed}/nodes/{tap}.nc",
    "attention": "{network}/seed{seed}/attention/{tap}.nc",
    "statistics": "{network}/statistics/{tap}.nc",
    "null": "{network}/null/{tap}.nc",
    "heads": "{network}/heads/{tap}.nc",
    "replicas": "{network}/replicas/{tap}.nc",
    "rotated": "{network}/heads/attention_rotated.nc",
    "rotated_within": "{network}/heads/attention_rotated_within.nc",
    "untrained": "{untrained}/heads/{tap}.nc",
    "evolution": "{network}/evolution/{tap}.nc",
    "pruning": "{network}/pruning/{study}.nc",
    "silencing": "{network}/pruning/silencing.nc",
    "latency": "{network}/latency.nc",
    "committee": "committee.nc",
}
#: Kinds whose content is called otherwise in the files.
CONTENTS = {"null": "statistics", "rotated": "heads", "rotated_within": "heads", "untrained": "heads"}
