// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"

#include <QCoreApplication>

namespace dtlsd::test {

namespace {

const TestEntry *&lastEntered()
{
    static const TestEntry *entry = nullptr;
    return entry;
}

} // namespace

TestEntry::TestEntry(const QMetaObject &testClass, Maker maker)
    : m_class(testClass)
    , m_make(maker)
    , m_next(std::exchange(lastEntered(), this))
{
}

std::unique_ptr<QObject> TestEntry::make(const QString &name)
{
    for (const TestEntry *entry = lastEntered(); entry; entry = entry->m_next) {
        const auto className = QString::fromLatin1(entry->m_class.className()); // TestLimits
        if (name == QLatin1String("tst_") + className.mid(4).toLower())
            return entry->m_make();
    }
    return nullptr;
}

} // namespace dtlsd::test

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const auto test =
        argc > 1 ? dtlsd::test::TestEntry::make(QString::fromLocal8Bit(argv[1])) : nullptr;
    if (!test) {
        qCritical("Usage: %s TEST [ARGUMENTS of Qt Test], TEST such as tst_limits", argv[0]);
        return 64;
    }
    argv[1] = argv[0];
    return QTest::qExec(test.get(), argc - 1, argv + 1);
}
