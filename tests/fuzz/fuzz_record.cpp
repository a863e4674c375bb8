// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes dtls/Record: the input is a datagram. Its records must lie side by side from its first
// byte on, each as its header says, and the client random inside the first of them.
#include "fuzz/FuzzTarget.h"
#include "wire/Packet.h"

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

int byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

void checkHeader(const Record &record)
{
    const bool hasId = byteAt(record.bytes, 0) == 25; // RFC 9146, and ours have 8 bytes
    const QByteArrayView header = record.bytes.first(hasId ? 21 : 13);
    std::uint64_t sequence = 0;
    for (qsizetype i = 5; i < 11; ++i)
        sequence = sequence << 8 | static_cast<std::uint64_t>(byteAt(header, i));
    require(hasId || (byteAt(header, 0) >= 20 && byteAt(header, 0) <= 23),
            "a record has a known type");
    require(record.hasId() == hasId, "it has an ID by its type");
    require(!hasId || record.id().view() == header.sliced(11, 8), "its ID is that of its header");
    require(byteAt(header, 0) == static_cast<int>(record.type), "its type is that of its header");
    require(byteAt(header, 1) == 0xfe, "a record is of DTLS");
    require(record.epoch == (byteAt(header, 3) << 8 | byteAt(header, 4)),
            "its epoch is that of its header");
    require(record.sequence == sequence, "its sequence number is that of its header");
    const qsizetype length = header.size() - 2;
    require(record.fragment().size() == (byteAt(header, length) << 8 | byteAt(header, length + 1)),
            "a record is as long as its header says");
}

void checkAlert(const Record &record)
{
    const auto alert = record.clearAlert();
    require(!alert || (record.type == ContentType::Alert && record.epoch == 0 &&
                       byteAt(record.fragment(), 1) == static_cast<int>(alert->description)),
            "a clear alert is an alert of epoch 0");
}

void checkRecords(QByteArrayView datagram)
{
    RecordReader reader(datagram);
    qsizetype end = 0;
    while (const auto record = reader.next()) {
        require(record->bytes.data() == datagram.data() + end, "records lie side by side");
        end += record->bytes.size();
        require(end <= datagram.size(), "records end with their datagram");
        require(reader.rest().size() == datagram.size() - end, "the rest is what follows them");
        checkHeader(*record);
        checkAlert(*record);
    }
    require(reader.rest() == datagram.sliced(end), "the rest is kept");
    require(!reader.next(), "what was no record once is none later");
}

void checkHello(QByteArrayView datagram)
{
    const Packet packet(datagram);
    if (!packet.hello)
        return;
    const ClientHello &hello = *packet.hello;
    const Record &record = hello.record;
    require(record.type == ContentType::Handshake && record.epoch == 0,
            "a hello is a clear handshake record");
    require(byteAt(record.fragment(), 0) == 1, "a hello is a ClientHello");
    require(hello.random.isEmpty() == (packet.newHello() == nullptr), "it begins with a random");
    require(hello.random.isEmpty() ||
                (hello.random.size() == 32 && hello.random.data() == datagram.data() + 27 &&
                 record.bytes.size() >= 27 + 32),
            "the random is the hello's");
    require(hello.body.size() <= record.fragment().size() && hello.cookie.size() <= 255,
            "a hello lies in its record");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const QByteArrayView datagram = viewOf(data, size);
    checkRecords(datagram);
    checkHello(datagram);
    return 0;
}
