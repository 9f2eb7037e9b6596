"""What every table of ours stands on: exact columns, engine settings, migrations, failures in plain words.

The one folder that adapters may share. It knows no record and no rule.
"""
