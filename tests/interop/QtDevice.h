// SPDX-License-Identifier: Apache-2.0
//
// QtDevice: QDtls as a client, by way of DtlsClient. Three datagrams up, three receipts down.
#pragma once

#include "interop/Device.h"

namespace dtlsd::test {

class QtDevice : public Device
{
public:
    [[nodiscard]] QString name() const override;
    [[nodiscard]] Conversation converse(const Meeting &meeting) override;
};

} // namespace dtlsd::test
