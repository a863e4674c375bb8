// SPDX-License-Identifier: Apache-2.0
//
// Runs every file of the folders and files that it is told through a fuzz target: what libFuzzer
// does without fuzzing, for compilers that lack it. Exit status 1 when there is nothing to run.
#include "fuzz/FuzzTarget.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <cstdio>
#include <cstdlib>

namespace {

QStringList inputsOf(const QString &path)
{
    if (!QFileInfo(path).isDir())
        return {path};
    const QDir folder(path);
    QStringList inputs;
    for (const QString &name : folder.entryList(QDir::Files, QDir::Name))
        inputs += folder.filePath(name);
    return inputs;
}

bool replay(const QString &path)
{
    QFile file(path);
    // Named first: the last line before a crash tells the input.
    static_cast<void>(std::fprintf(stderr, "%s\n", qPrintable(path)));
    if (!file.open(QIODevice::ReadOnly))
        return false;
    const QByteArray input = file.readAll();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(input.constData()),
                           static_cast<std::size_t>(input.size()));
    return true;
}

} // namespace

int main(int argc, char *argv[])
{
    LLVMFuzzerInitialize(&argc, &argv);
    int count = 0;
    for (int i = 1; i < argc; ++i) {
        const QStringList inputs = inputsOf(QString::fromLocal8Bit(argv[i]));
        if (inputs.isEmpty())
            static_cast<void>(std::fprintf(stderr, "%s: no inputs\n", argv[i]));
        for (const QString &path : inputs) {
            if (!replay(path))
                return EXIT_FAILURE;
            ++count;
        }
    }
    std::printf("%d inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
