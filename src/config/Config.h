// SPDX-License-Identifier: Apache-2.0
//
// Config: the configuration as types, every value checked. Defaults are in dtls/ServerOptions.h for
// DtlsServer, in log/LogOptions.h for the log, and here for the rest.
#pragma once

#include "config/Machine.h"
#include "core/BackendKind.h"
#include "core/SocketAddress.h"
#include "dtls/ServerOptions.h"
#include "forward/ForwardOptions.h"
#include "log/LogOptions.h"

#include <QByteArray>
#include <QHostAddress>
#include <QList>
#include <QString>
#include <QStringList>

#include <chrono>
#include <cstdint>
#include <optional>

namespace dtlsd {

/// `[server]`: sockets and threads.
struct ListenOptions
{
    QList<SocketAddress> listen{{QHostAddress(QHostAddress::AnyIPv4), 22334},
                                {QHostAddress(QHostAddress::AnyIPv6), 22334}};
    std::int64_t workers = 0;                           ///< 0 = one per core
    std::int64_t receiveBuffer = std::int64_t{4} << 20; ///< bytes, SO_RCVBUF
    bool keepSessions = true; ///< over a restart, where the service manager keeps descriptors
};

/// `[server] cookie_secret`
struct CookieOptions
{
    static constexpr qsizetype minimumSize = 32; ///< bytes, as CookieSecrets requires

    QString file; ///< resolved path; empty = none: each process makes its own secret
    PskKey secret;

    friend bool operator==(const CookieOptions &, const CookieOptions &) = default;
};

/// `[control]`
struct ControlOptions
{
    QString socket = defaultSocket(); ///< empty = off
    QString metricsFile;              ///< empty = off

    /// `control.sock` in $RUNTIME_DIRECTORY (systemd.exec(5)) if set, else in /run/dtlsd.
    static QString defaultSocket();
};

/// Used if no file is given.
inline constexpr QLatin1StringView defaultConfigFile("/etc/dtlsd/dtlsd.ini");
inline constexpr QLatin1StringView defaultKeyFile("/etc/dtlsd/psk.txt");

/// `[psk]`, `[tls] min_key_bytes`, and where the identities came from. The keys themselves are in
/// ServerSettings::identities.
struct KeyOptions
{
    QString file = defaultKeyFile; ///< resolved path; empty = none
    std::int64_t minimumSize = 16; ///< bytes (RFC 9257 §6: 128 bits)
    /// The identities that have a section, in file order, without the wildcard; all others are from
    /// the key file.
    QList<QByteArray> sections;
};

struct Config
{
    QString file; ///< its path; empty = the embedded defaults
    ListenOptions server;
    CookieOptions cookies;
    std::chrono::milliseconds watchInterval{0}; ///< `[server] watch_interval`; 0 = off
    std::optional<BackendKind> tlsBackend;      ///< none = auto: ours if it works, else Qt's
    ServerSettings settings;
    ForwardOptions forward;
    LogOptions log;
    ControlOptions control;
    KeyOptions keys;
};

/// An error or a warning about a configuration.
struct ConfigMessage
{
    QString file;
    int line = 0; ///< from 1; 0 = the file as a whole
    QString text; ///< `[section] key: what is wrong; what is accepted`

    /// `FILE:LINE: text`, as editors and compilers write it.
    [[nodiscard]] QString toString() const;
};

struct ConfigResult
{
    Config config; ///< valid only if there are no errors
    QList<ConfigMessage> errors;
    QList<ConfigMessage> warnings; ///< accepted, but likely unwanted
    QStringList files;             ///< all files it is made of, readable or not
    /// Needed, but absent from the machine at present: the configuration is correct, but cannot be
    /// served. Irrelevant if systemd passes the sockets.
    QList<ConfigMessage> missing;
};

/// Reads @p file and the key files it names, and reports all errors in one run. Relative paths of
/// key files start at $CREDENTIALS_DIRECTORY (@p credentials) if set, else at the directory of
/// @p file. Has no side effects.
ConfigResult loadConfig(const QString &file, const QString &credentials = {},
                        const Machine &machine = Machine::current());

/// loadConfig() with $CREDENTIALS_DIRECTORY. If @p file is empty: defaultConfigFile, or the
/// embedded defaults if that does not exist.
ConfigResult loadConfigOrDefault(const QString &file);

/// The embedded defaults with the default key file, for use without a configuration file.
ConfigResult loadDefaultConfig(const QString &credentials = {},
                               const Machine &machine = Machine::current());

/// The effective configuration as an INI file. loadConfig() reads it back once the keys of its
/// identity sections, which are shown as fingerprints in comments, are filled in. Identities of the
/// key file are comments too, if there are at most 1000.
QByteArray showConfig(const Config &config);

} // namespace dtlsd
