// SPDX-License-Identifier: Apache-2.0
//
// Program: an input as instructions. Arguments are single bytes that count from the digit 0, so
// that a program can be written, and read, as text; behind its end it is all zeros.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <algorithm>
#include <cstdint>

namespace dtlsd::fuzz {

class Program
{
public:
    explicit Program(QByteArrayView bytes)
        : m_rest(bytes)
    {
    }

    [[nodiscard]] bool isOver() const { return m_rest.isEmpty(); }

    /// The next instruction, whatever byte that is.
    char instruction()
    {
        if (m_rest.isEmpty())
            return 0;
        const char byte = m_rest.front();
        m_rest = m_rest.sliced(1);
        return byte;
    }

    /// '0' is 0, '9' is 9; up to 255.
    int number() { return static_cast<std::uint8_t>(instruction() - '0'); }
    int numberBelow(int bound) { return number() % bound; }
    /// Two numbers, the greater first.
    int wideNumber()
    {
        const int high = number();
        return high << 8 | number();
    }

    /// A number, and as many bytes.
    QByteArray bytes()
    {
        const int wanted = number();
        const auto size = std::min<qsizetype>(wanted, m_rest.size());
        QByteArray taken = m_rest.first(size).toByteArray();
        m_rest = m_rest.sliced(size);
        return taken;
    }

private:
    QByteArrayView m_rest;
};

} // namespace dtlsd::fuzz
