process.stderr.write('The command line of Receptance is not written yet.\n');
process.exitCode = 1;

export {};
