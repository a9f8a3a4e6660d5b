/* The command `spelter sandbox` as a program of its own, for the tests of this folder. */
#include "sandbox_main.h"

int main(int argc, char **argv)
{
    return sandbox_main(argc, argv);
}
