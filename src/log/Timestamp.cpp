// SPDX-License-Identifier: Apache-2.0
#include "log/Timestamp.h"

#include <cstdint>

namespace dtlsd {

namespace {

void appendNumber(QByteArray &text, std::int64_t value, qsizetype digits)
{
    const qsizetype begin = text.size();
    text.resize(begin + digits);
    for (qsizetype i = begin + digits; i-- > begin; value /= 10)
        text[i] = static_cast<char>('0' + value % 10);
}

/// Date and time with @p separator between them, to the second.
QByteArray toSeconds(std::chrono::system_clock::time_point time, char separator)
{
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<seconds>(time - day));
    QByteArray text;
    text.reserve(28);
    appendNumber(text, static_cast<int>(date.year()), 4);
    appendNumber(text += '-', static_cast<unsigned>(date.month()), 2);
    appendNumber(text += '-', static_cast<unsigned>(date.day()), 2);
    appendNumber(text += separator, clock.hours().count(), 2);
    appendNumber(text += ':', clock.minutes().count(), 2);
    appendNumber(text += ':', clock.seconds().count(), 2);
    return text;
}

template <class Unit>
std::int64_t sinceSecond(std::chrono::system_clock::time_point time)
{
    using namespace std::chrono;
    return floor<Unit>(time - floor<seconds>(time)).count();
}

} // namespace

QByteArray machineTimestamp(std::chrono::system_clock::time_point time)
{
    QByteArray text = toSeconds(time, 'T');
    appendNumber(text += '.', sinceSecond<std::chrono::microseconds>(time), 6);
    return text += 'Z';
}

QByteArray humanTimestamp(std::chrono::system_clock::time_point time)
{
    QByteArray text = toSeconds(time, ' ');
    appendNumber(text += '.', sinceSecond<std::chrono::milliseconds>(time), 3);
    return text += 'Z';
}

} // namespace dtlsd
