// SPDX-License-Identifier: Apache-2.0
//
// Garbage: datagrams that no client sends: noise of all sizes, empty datagrams, records with wrong
// lengths, hellos that are broken inside. The same in every run.
#pragma once

#include <QByteArray>
#include <QRandomGenerator>

namespace dtlsd::test {

class Garbage
{
public:
    [[nodiscard]] QByteArray next();

private:
    [[nodiscard]] QByteArray noise(qsizetype size);
    [[nodiscard]] QByteArray brokenHello(qsizetype from, int range);

    QRandomGenerator m_random{1};
};

} // namespace dtlsd::test
