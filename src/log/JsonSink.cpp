// SPDX-License-Identifier: Apache-2.0
#include "log/JsonSink.h"

#include "core/Json.h"
#include "log/Timestamp.h"

#include <QJsonObject>
#include <QString>

namespace dtlsd {

namespace {

/// `peer_port` for `DTLSD_PEER_PORT`.
QString jsonName(QByteArrayView name)
{
    if (name.startsWith("DTLSD_"))
        name = name.sliced(6);
    return QString::fromLatin1(name).toLower();
}

void insertField(QJsonObject &object, const LogField &field)
{
    bool isNumber = false;
    const qint64 number =
        field.kind == LogField::Kind::Number ? field.value.toLongLong(&isNumber) : 0;
    if (isNumber)
        object.insert(jsonName(field.name), number);
    else
        insertBytes(object, jsonName(field.name), field.value);
}

} // namespace

QByteArray jsonLine(const LogRecord &record)
{
    QJsonObject object{
        {QStringLiteral("ts"), QString::fromLatin1(machineTimestamp(record.time))},
        {QStringLiteral("level"), nameIn(priorityNames, record.priority)},
        {QStringLiteral("event"), QLatin1String(record.event)},
        {QStringLiteral("message"), QString::fromUtf8(record.message)},
        {QStringLiteral("message_id"), QLatin1String(record.messageId)},
    };
    for (const LogField &field : record.fields)
        insertField(object, field);
    return jsonLine(object);
}

} // namespace dtlsd
