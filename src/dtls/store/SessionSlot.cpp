// SPDX-License-Identifier: Apache-2.0
#include "dtls/store/SessionSlot.h"

#include <QCryptographicHash>

#include <cstring>

namespace dtlsd {

namespace {

std::span<const std::byte> bytesOf(const auto &value)
{
    return std::as_bytes(std::span(&value, 1));
}

SessionSlot::Check checkOfBoth(std::span<const std::byte> first, std::span<const std::byte> second)
{
    const auto view = [](std::span<const std::byte> bytes) {
        return QByteArrayView(bytes.data(), static_cast<qsizetype>(bytes.size()));
    };
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(view(first));
    hash.addData(view(second));
    SessionSlot::Check check = 0;
    std::memcpy(&check, hash.result().constData(), sizeof check);
    return check;
}

} // namespace

SessionSlot::Check SessionSlot::checkOf(std::span<const std::byte> bytes)
{
    return checkOfBoth(bytes, {});
}

SessionSlot::Check SessionSlot::Place::rightCheck() const
{
    return checkOf(bytesOf(*this).first(offsetof(Place, check)));
}

SessionSlot::Check SessionSlot::rightCheck() const
{
    const auto fixed = bytesOf(*this).first(offsetof(SessionSlot, check));
    return checkOfBoth(association.agreed(), fixed.subspan(offsetof(SessionSlot, id)));
}

SessionSlot::Check SessionSlot::rightWindowCheck() const
{
    return checkOf(bytesOf(association.window));
}

bool SessionSlot::isSound() const
{
    return isValid == 1 && isValid.isSound() && association.isSound() && check == rightCheck() &&
           place.check == place.rightCheck();
}

} // namespace dtlsd
