// SPDX-License-Identifier: Apache-2.0
#include "fuzz/Edit.h"

#include "wire/Record.h"

#include <algorithm>
#include <vector>

namespace dtlsd::fuzz {

namespace {

/// Where each record of @p datagram begins; the first byte, if it has none.
std::vector<qsizetype> recordsIn(const QByteArray &datagram)
{
    std::vector<qsizetype> offsets;
    RecordReader reader(datagram);
    while (const auto record = reader.next())
        offsets.push_back(record->bytes.data() - datagram.constData());
    if (offsets.empty())
        offsets.push_back(0);
    return offsets;
}

qsizetype placeIn(const QByteArray &bytes, Program &program)
{
    return program.wideNumber() % (bytes.size() + 1);
}

/// Sets a field of the header of a record: type, version, epoch, sequence number or length.
void setHeader(QByteArray &datagram, Program &program)
{
    struct Field
    {
        qsizetype offset;
        int size;
    };
    static constexpr Field fields[]{{0, 1}, {1, 2}, {3, 2}, {9, 2}, {5, 2}, {11, 2}};
    const auto records = recordsIn(datagram);
    const qsizetype record = records[static_cast<std::size_t>(program.number()) % records.size()];
    const Field field = fields[program.numberBelow(std::size(fields))];
    const int value = field.size == 1 ? program.number() : program.wideNumber();
    for (int i = 0; i < field.size; ++i) {
        const qsizetype offset = record + field.offset + i;
        if (offset < datagram.size())
            datagram[offset] = static_cast<char>(value >> (8 * (field.size - 1 - i)));
    }
}

void repeatRecord(QByteArray &datagram, Program &program)
{
    const auto records = recordsIn(datagram);
    const std::size_t index = static_cast<std::size_t>(program.number()) % records.size();
    const qsizetype end = index + 1 < records.size() ? records[index + 1] : datagram.size();
    datagram += datagram.mid(records[index], end - records[index]);
}

void edit(QByteArray &datagram, Program &program)
{
    const int kind = program.numberBelow(8);
    if (kind == 0)
        return setHeader(datagram, program);
    if (kind == 1)
        return repeatRecord(datagram, program);
    if (kind == 2) {
        datagram += program.bytes();
        return;
    }
    const qsizetype place = placeIn(datagram, program);
    if (kind == 3) {
        datagram.truncate(place);
    } else if (kind == 4) {
        datagram.insert(place, program.bytes());
    } else if (kind == 5) {
        datagram.remove(place, program.number());
    } else if (place < datagram.size()) {
        const char byte = static_cast<char>(program.number());
        datagram[place] = kind == 6 ? byte : static_cast<char>(datagram[place] ^ byte);
    }
}

} // namespace

QByteArray edited(QByteArray datagram, Program &program)
{
    for (int count = program.numberBelow(5); count > 0; --count)
        edit(datagram, program);
    return datagram;
}

QByteArray recordOf(Program &program)
{
    QByteArray record;
    record += static_cast<char>(20 + program.numberBelow(4));
    record += QByteArray::fromHex("fefd00");
    record += static_cast<char>(program.number());
    record += QByteArray(4, '\0');
    const int sequence = program.wideNumber();
    record += static_cast<char>(sequence >> 8);
    record += static_cast<char>(sequence);
    const QByteArray fragment = program.bytes();
    record += '\0';
    record += static_cast<char>(fragment.size());
    return record + fragment;
}

} // namespace dtlsd::fuzz
