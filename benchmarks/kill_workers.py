"""`python -m benchmarks.kill_workers [KEYS]`: kill workers while licences are issued, count the lost."""

from tests.functional.kill_while_issuing import main

if __name__ == "__main__":
    main()
