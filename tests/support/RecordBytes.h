// SPDX-License-Identifier: Apache-2.0
//
// Records of DTLS 1.2 as bytes (RFC 6347 §4.1), written by hand.
#pragma once

#include <QByteArray>

namespace dtlsd::test {

inline QByteArray record(int type, int epoch, int sequence, const QByteArray &fragment)
{
    QByteArray bytes = QByteArray::number(type, 16).rightJustified(2, '0') + "fefd" +
                       QByteArray::number(epoch, 16).rightJustified(4, '0') +
                       QByteArray::number(sequence, 16).rightJustified(12, '0') +
                       QByteArray::number(fragment.size(), 16).rightJustified(4, '0');
    return QByteArray::fromHex(bytes) + fragment;
}

/// The last byte of an authentic record belongs to its tag.
inline QByteArray withFlippedTag(const QByteArray &record)
{
    return record.chopped(1) + static_cast<char>(record.back() ^ 1);
}

} // namespace dtlsd::test
