// SPDX-License-Identifier: Apache-2.0
//
// CoapDevice: libcoap's coap-client on one of its TLS libraries. It puts one value, and takes the
// reply for the response if that is one: dtlsd knows nothing of CoAP (RFC 7252), but with a
// non-confirmable request a fixed text will do.
#pragma once

#include "interop/Device.h"

namespace dtlsd::test {

class CoapDevice : public Device
{
public:
    explicit CoapDevice(QString program);

    [[nodiscard]] QString name() const override;
    [[nodiscard]] bool isAvailable() const override;
    [[nodiscard]] bool choosesSuite() const override { return false; }
    [[nodiscard]] QByteArray replyTemplate() const override;
    [[nodiscard]] Outcome expected(const QString &suite) const override;
    [[nodiscard]] Conversation converse(const Meeting &meeting) override;

private:
    QString m_program;
    QString m_version;
};

} // namespace dtlsd::test
