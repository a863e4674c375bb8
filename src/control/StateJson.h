// SPDX-License-Identifier: Apache-2.0
//
// StateJson: the daemon and its sessions as the control socket's answers tell them. Times are
// seconds (`_s`); an identity that is not UTF-8 is `identity_base64`, as a payload is in the log.
#pragma once

#include "control/DaemonState.h"
#include "dtls/SessionReport.h"

#include <QJsonObject>

#include <cstddef>

namespace dtlsd {

QJsonObject toJson(const DaemonState &state);

/// @p worker is the one that has the session, from 0.
QJsonObject toJson(const SessionReport &report, std::size_t worker);

} // namespace dtlsd
