// SPDX-License-Identifier: Apache-2.0
//
// Wiretap: records what a Relay has seen. It parses records by itself (RFC 6347 §4.1, RFC 9146 §4),
// and knows no keys; but a client of a relay has one association after the other, each of which
// begins with another random in its ClientHello, and all that the server has sent in epoch 1 of one
// was sealed with one key.
#pragma once

#include "support/Flight.h"

#include <QByteArray>
#include <QStringList>

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace dtlsd::test {

class Wiretap
{
public:
    /// @p idSize: how many bytes the connection IDs in records to the devices have.
    explicit Wiretap(qsizetype idSize = 8)
        : m_idSize(idSize)
    {
    }

    /// Client @p number, or the server for it, has sent @p datagram, whatever becomes of it.
    void sent(int client, Direction direction, const QByteArray &datagram);
    /// @p datagram of that client has been carried to the server, whole or in part.
    void arrived(int client, const QByteArray &datagram);

    /// One line for each nonce with which a key of the server has sealed two records: two
    /// ciphertexts under one sequence number, or under one explicit nonce (RFC 5288 §3, RFC 6655
    /// §3). Devices are not looked at: a KeyedClient that repeats its Finished does not count it.
    [[nodiscard]] const QStringList &repeatedNonces() const { return m_repeated; }
    /// All that was carried from @p client to the server, in its order, without exact copies.
    [[nodiscard]] const std::vector<QByteArray> &arrivedFrom(int client)
    {
        return m_arrived[client].datagrams;
    }
    /// Records of epoch 1 or later that the server has sent.
    [[nodiscard]] std::size_t sealedRecords() const { return m_sealed; }

private:
    struct Arrived
    {
        std::vector<QByteArray> datagrams;
        std::set<QByteArray> known;
    };
    struct Association
    {
        int number = 0; // of this client
        QByteArray random;
    };
    /// A client, its association, and the number in a nonce, with the epoch.
    using Number = std::tuple<int, int, std::uint64_t>;

    void seeHello(int client, const QByteArray &datagram);
    void seeSealed(int client, std::uint64_t number, const QByteArray &fragment);

    const qsizetype m_idSize;
    std::map<Number, QByteArray> m_bySequence; // the fragment
    std::map<Number, QByteArray> m_byExplicitNonce;
    std::map<int, Association> m_associations;
    std::map<int, Arrived> m_arrived;
    QStringList m_repeated;
    std::size_t m_sealed = 0;
};

} // namespace dtlsd::test
