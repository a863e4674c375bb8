// SPDX-License-Identifier: Apache-2.0
//
// SslRecords: the records of a session whose SSL outlives the handshake, as under Qt's own backend.
// OpenSSL tells little of what it does with a record, and ends a session on some that anybody can
// forge. So some records are kept from it, and the rest is guessed, into the AssociationState that
// our own backend would keep.
#pragma once

#include "dtls/session/SessionFilter.h"
#include "dtls/session/SslView.h"
#include "wire/AssociationState.h"
#include "wire/Record.h"

#include <QDtls>

#include <memory>

namespace dtlsd {

class SslRecords
{
public:
    /// For the session of @p ssl, whose handshake is complete with a suite of @p limits.
    SslRecords(std::unique_ptr<SslView> ssl, const SuiteLimits &limits)
        : m_ssl(std::move(ssl))
        , m_filter(limits)
    {
    }

    /// The most plaintext that a record may have, in bytes (RFC 6066 §4).
    [[nodiscard]] qsizetype maximumPlaintext() const { return m_ssl->maximumPlaintext(); }
    /// Whether QDtls may see @p record.
    [[nodiscard]] bool admits(const Record &record) const { return m_filter.admits(record); }
    /// Notes in @p state what @p dtls has made of @p record: @p payload.
    void note(const Record &record, const QByteArray &payload, const QDtls &dtls,
              AssociationState &state) const;

private:
    using Verdict = AssociationState::Verdict;

    [[nodiscard]] Verdict verdictOn(const Record &record, const QByteArray &payload) const;

    std::unique_ptr<SslView> m_ssl;
    SessionFilter m_filter;
};

} // namespace dtlsd
