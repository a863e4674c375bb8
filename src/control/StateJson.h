// SPDX-License-Identifier: Apache-2.0
//
// StateJson: the control socket's answers, one JSON object a line, of which the last says whether
// the command is done; and the daemon and its sessions as JSON. Times are in seconds (`_s`); an
// identity that is not UTF-8 is `identity_base64`, like a payload in the log.
#pragma once

#include "control/DaemonState.h"
#include "dtls/Events.h"

#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include <cstddef>

namespace dtlsd {

QJsonObject toJson(const DaemonState &state);

/// @p worker is the number of the session's worker, from 0.
QJsonObject toJson(const SessionReport &report, std::size_t worker);

/// The last line of an answer that is done; @p more stands in it too.
QByteArray doneLine(QJsonObject more);

/// The last line of one that is not: @p code is for programs, @p error for people.
QByteArray refusalLine(const char *code, const QString &error);

} // namespace dtlsd
