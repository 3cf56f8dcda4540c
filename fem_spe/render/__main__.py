"""`python -m fem_spe.render DIR`: draw in a process of its own.

A graphics driver that fails then costs the pictures, not the run.
"""

import sys
from pathlib import Path

from fem_spe.errors import FemSpeError
from fem_spe.render import draw

try:
    for file in draw(Path(sys.argv[1])):
        print(file)
except FemSpeError as error:
    sys.exit(str(error))
