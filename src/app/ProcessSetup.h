// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dtlsd {

/// What has to hold before anything else, QCoreApplication included: occupyStandardStreams(); no
/// core dumps, as keys are in memory (debuggers of the same user cannot attach either, prctl(2),
/// PR_SET_DUMPABLE); no death by a broken pipe; messages in English and UTF-8.
void setUpProcess();

} // namespace dtlsd
