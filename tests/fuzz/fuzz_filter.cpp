// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes dtls/HandshakeFilter: the input is what a client sends after its hello, record by record,
// the first of which is taken for the hello. What is admitted must be of the kinds that a PSK
// client sends, and within the bounds that keep OpenSSL from being filled or led astray.
#include "dtls/handshake/HandshakeFilter.h"
#include "fuzz/FuzzTarget.h"

#include <algorithm>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

constexpr int clearRecords = 64;
constexpr int earlyRecords = 8;
constexpr std::uint64_t sequenceStep = 32;
constexpr qsizetype keyExchangeSize = 1024;
constexpr int helloSize = 4096;
constexpr qsizetype heldSize = 256;

/// Under a suite with an explicit nonce, under one without or with a short tag.
bool isAsLongAsAFinished(const Record &record)
{
    return record.fragment().size() == 8 + 24 + 16 || record.fragment().size() == 24 + 16;
}

int byteAt(QByteArrayView bytes, qsizetype index)
{
    return static_cast<uchar>(bytes[index]);
}

int uint24At(QByteArrayView bytes, qsizetype index)
{
    return byteAt(bytes, index) << 16 | byteAt(bytes, index + 1) << 8 | byteAt(bytes, index + 2);
}

/// What has been admitted, and what follows from that.
class Admitted
{
public:
    explicit Admitted(const Record &hello)
        : m_highest(hello.sequence)
    {
    }

    void add(const Record &record);
    [[nodiscard]] bool hasChangedKeys() const { return m_changed; }

private:
    void addClear(const Record &record);
    void addMessage(QByteArrayView fragment);

    std::uint64_t m_highest;
    int m_clear = 0;
    int m_early = 0;
    bool m_exchanged = false;
    bool m_changed = false;
};

void Admitted::add(const Record &record)
{
    if (record.epoch == 0)
        return addClear(record);
    require(record.epoch == 1, "no epoch but the next one");
    if (record.hasId()) { // which may be padded, and is held until the keys change
        require(m_changed || record.bytes.size() <= heldSize, "what has to be held is short");
    } else {
        require(record.type == ContentType::Handshake,
                "under the new keys, no record but a message");
        require(isAsLongAsAFinished(record), "and that message is a Finished");
    }
    m_early += m_changed ? 0 : 1;
    require(m_early <= earlyRecords, "not many records before their keys");
}

void Admitted::addClear(const Record &record)
{
    require(++m_clear <= clearRecords, "not many clear records");
    require(record.sequence <= m_highest + sequenceStep, "no record moves the replay window away");
    m_highest = std::max(m_highest, record.sequence);
    const QByteArrayView fragment = record.fragment();
    if (record.type == ContentType::Handshake)
        return addMessage(fragment);
    require(record.type == ContentType::ChangeCipherSpec, "no clear alert, no clear data");
    require(fragment.size() == 1 && fragment[0] == 1, "a ChangeCipherSpec is one byte, 1");
    require(m_exchanged, "the keys change after they are exchanged");
    m_changed = true;
}

void Admitted::addMessage(QByteArrayView fragment)
{
    require(fragment.size() >= 12, "a fragment has its header");
    const int length = uint24At(fragment, 1);
    const int sequence = byteAt(fragment, 4) << 8 | byteAt(fragment, 5);
    const int offset = uint24At(fragment, 6);
    const int size = uint24At(fragment, 9);
    require(size == fragment.size() - 12, "one fragment in a record");
    require(offset + size <= length, "a fragment lies in its message");
    const bool isExchange = byteAt(fragment, 0) == 16 && sequence == 2 && length <= keyExchangeSize;
    const bool isHello =
        byteAt(fragment, 0) == 1 && sequence == 1 && offset > 0 && length <= helloSize;
    require(isExchange || isHello, "no message but those of a PSK client");
    m_exchanged = true; // as the filter counts: any message of the flight
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    RecordReader reader(viewOf(data, size));
    const auto hello = reader.next();
    if (!hello)
        return 0;
    HandshakeFilter filter;
    filter.begin(*hello);
    Admitted admitted(*hello);
    while (const auto record = reader.next()) {
        const bool after = admitted.hasChangedKeys();
        const bool admits = filter.admits(*record);
        if (admits)
            admitted.add(*record);
        else
            require(!after || record->epoch != 1 || record->type != ContentType::Handshake ||
                        !isAsLongAsAFinished(*record),
                    "the Finished is heard once its keys are there");
        require(filter.sawChangeCipherSpec() == admitted.hasChangedKeys(),
                "the keys change when the client says so, and only then");
    }
    return 0;
}
