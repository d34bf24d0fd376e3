"""The template by itself, as SAM and cfn-lint see it."""

import subprocess

from stack import ROOT, sam


def test_sam_and_cfn_lint_find_nothing():
    sam("validate", "--lint", AWS_DEFAULT_REGION="us-east-1")
    subprocess.run(["cfn-lint", "template.yaml"], cwd=ROOT, check=True)
