// SPDX-License-Identifier: Apache-2.0
//
// PredictableRandom: OpenSSL's random generator replaced by one that begins anew with each input,
// so that keys, cookies and randoms are the same whenever an input is run again.
#pragma once

namespace dtlsd::fuzz {

/// From now on, in the whole process, from the beginning.
void restartRandom();

} // namespace dtlsd::fuzz
