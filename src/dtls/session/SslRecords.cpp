// SPDX-License-Identifier: Apache-2.0
#include "dtls/session/SslRecords.h"

namespace dtlsd {

void SslRecords::note(const Record &record, const QByteArray &payload, const QDtls &dtls,
                      AssociationState &state) const
{
    // With an empty error queue and AEAD suites an error means that the association is dead,
    // although QDtls still reports it as encrypted. A message of another handshake means that the
    // device has begun one in fragments, which OpenSSL would collect without limit.
    if (dtls.dtlsError() == QDtlsError::RemoteClosedConnectionError) {
        state.verdict = Verdict::Closed;
    } else if (dtls.dtlsError() != QDtlsError::NoError || m_ssl->isInAHandshake()) {
        state.verdict = m_ssl->alert() ? Verdict::Alerted : Verdict::Broken;
        state.alert = m_ssl->alert().value_or(Alert());
    } else {
        state.verdict = verdictOn(record, payload);
        // Repeated records count as forged, since OpenSSL does not tell them apart; of an unknown
        // empty one a forger has nothing.
        if (state.verdict == Verdict::Authentic)
            ++state.window.top;
        else if (state.verdict == Verdict::Refused || record.type == ContentType::Handshake)
            ++state.forgeries;
    }
}

SslRecords::Verdict SslRecords::verdictOn(const Record &record, const QByteArray &payload) const
{
    const bool looksEmpty = payload.isEmpty() && m_filter.looksEmpty(record);
    if (record.type == ContentType::Handshake || (looksEmpty && !SslView::tellsOfEmptyRecords()))
        return Verdict::Unknown;
    // QDtls reports an empty record and a dropped one alike.
    const bool isAuthentic = !payload.isEmpty() || (looksEmpty && m_ssl->hasReadAnEmptyRecord());
    return isAuthentic ? Verdict::Authentic : Verdict::Refused;
}

} // namespace dtlsd
