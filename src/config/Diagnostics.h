// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics: collects the errors and warnings about one INI file, in the form `[section] key:
// what is wrong; what is accepted`.
#pragma once

#include "config/Config.h"

#include <QList>
#include <QString>
#include <QStringList>
#include <QStringView>

namespace dtlsd {

/// A place in the INI file; each part is optional.
struct IniPlace
{
    int line = 0;
    QString section;
    QString key;
};

class Diagnostics
{
public:
    /// Errors shown per file; the rest is only counted.
    static constexpr qsizetype maximumPerFile = 100;

    explicit Diagnostics(QString file)
        : m_file(std::move(file))
    {
    }

    void error(const IniPlace &place, const QString &text);
    void warning(const IniPlace &place, const QString &text);
    /// An error: the key of @p place is none of @p names. If it may be a misplaced secret
    /// (@p maybeSecret), it is shown only if it resembles one of them.
    void unknownKey(const IniPlace &place, const QStringList &names, bool maybeSecret);
    /// Something the machine lacks; see ConfigResult::missing.
    void missing(const IniPlace &place, const QString &text);
    /// Messages about another file, already in their final form.
    void add(const QList<ConfigMessage> &errors, const QList<ConfigMessage> &warnings)
    {
        m_otherErrors += errors;
        m_otherWarnings += warnings;
    }

    /// In line order; messages about other files come last.
    [[nodiscard]] QList<ConfigMessage> errors() const;
    [[nodiscard]] QList<ConfigMessage> warnings() const;
    [[nodiscard]] const QList<ConfigMessage> &missing() const { return m_missing; }

private:
    [[nodiscard]] ConfigMessage message(const IniPlace &place, const QString &text) const;

    QString m_file;
    QList<ConfigMessage> m_errors;
    QList<ConfigMessage> m_otherErrors;
    QList<ConfigMessage> m_warnings;
    QList<ConfigMessage> m_otherWarnings;
    QList<ConfigMessage> m_missing;
};

/// `"text"`, escaped and bounded for a message.
QString shown(QStringView text);

/// ` (did you mean x?)` with the closest of @p names, formatted by @p shape; empty = none is close.
QString suggestion(QStringView name, const QStringList &names,
                   const QString &shape = QStringLiteral("%1"));

/// `a, b and c are accepted`
QString acceptedNames(const QStringList &names);

/// `a, b and c`, as in `a, b and c are accepted`.
QString enumeration(QStringList names, const QString &conjunction = QStringLiteral("and"));

} // namespace dtlsd
