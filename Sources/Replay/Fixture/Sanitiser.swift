// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// Puts stand-ins in the place of everything in an object that is not on the list of what may stay.
final class Sanitiser {
    let standIns: StandIns
    let keys: ThrowawayKeys
    /// What stands for the archived documents, by their digests.
    var documents: [Digest: Digest] = [:]

    init(standIns: StandIns, keys: ThrowawayKeys) {
        self.standIns = standIns
        self.keys = keys
    }

    // MARK: - Objects

    func object(_ object: JSONObject, _ place: MemberPlace) -> JSONObject {
        object.members.reduce(into: JSONObject()) { result, member in
            result[name(member.name, in: place)] = value(
                member.value, rule: MemberRules.rule(for: member.name, in: place), member.name,
                place)
        }
    }

    /// The name of a member, which may be somebody's data as well.
    private func name(_ name: String, in place: MemberPlace) -> String {
        switch place {
        case .event: standIns.keep(name)
        // Settings are published. What looks like the number of a person is none of their names.
        case .settings where RegisteredNames.isHarmlessACR(name): standIns.keep(name)
        default: claimName(name)
        }
    }

    func claimName(_ name: String) -> String {
        MemberRules.knownNames.containsIdentical(name)
            ? standIns.keep(name) : standIns.text(name, "member")
    }

    private func value(
        _ value: JSONValue, rule: MemberRule?, _ name: String, _ place: MemberPlace
    ) -> JSONValue {
        switch value {
        case .null, .bool: return value
        case .integer, .number: return number(value, rule, place)
        case .string(let text): return .string(self.text(text, rule, name, place))
        case .array(let elements):
            return .array(elements.map { self.value($0, rule: rule, name, place) })
        case .object(let object): return .object(self.object(object, rule, name, place))
        }
    }

    private func object(
        _ object: JSONObject, _ rule: MemberRule?, _ name: String, _ place: MemberPlace
    ) -> JSONObject {
        switch (rule, place) {
        case (.claims, _): return self.object(object, .claims)
        case (.response, _): return response(object)
        case (.claimNames, _):
            return object.members.reduce(into: JSONObject()) {
                $0[claimName($1.name)] = value(
                    $1.value,
                    rule: .words(MemberRules.claimOrigins, otherwise: "origin"), name, place)
            }
        case (_, .settings) where name.isIdentical(to: "levelsOfAssurance"):
            return object.members.reduce(into: JSONObject()) { $0[acr($1.name)] = $1.value }
        default: return self.object(object, place == .header ? .claims : place)
        }
    }

    private func number(
        _ value: JSONValue, _ rule: MemberRule?, _ place: MemberPlace
    ) -> JSONValue {
        switch (rule, place) {
        case (_, .event), (_, .settings), (.count, _): return value
        case (.time, _): return standIns.shifted(numericDate: value)
        default: break
        }
        guard case .integer(let number) = value else {
            return .number("\(1000 + standIns.next("fraction")).5")
        }
        return .integer(standIns.integer(number))
    }

    // MARK: - Texts

    private func text(
        _ text: String, _ rule: MemberRule?, _ name: String, _ place: MemberPlace
    ) -> String {
        guard let rule else { return unruled(text, name, place) }
        switch rule {
        case .words(let words, let kind):
            return words.containsIdentical(text) ? standIns.keep(text) : free(text, kind)
        case .plainWords(let words, let kind):
            return words.containsIdentical(text) ? standIns.keep(text) : plainWord(text, kind)
        case .text(let kind): return free(text, kind)
        case .count:
            let isCount = text.utf8.count <= 10 && Int(text) != nil
            return isCount ? standIns.keep(text) : free(text, "count")
        case .url: return standIns.url(text)
        case .redirectURI: return redirectURI(text)
        case .host: return host(text)
        case .acr: return acr(text)
        case .acrs: return list(text, acr)
        case .scopes:
            return list(text) { scope in
                MemberRules.scopes.containsIdentical(scope)
                    ? standIns.keep(scope) : standIns.text(scope, "scope")
            }
        case .keyID: return keyID(text)
        case .time:
            return Instant(rfc3339: text).map { standIns.shifted($0).rfc3339 }
                ?? free(text, "time")
        case .httpDate:
            return Instant(httpDate: text).map { standIns.shifted($0).httpDate }
                ?? free(text, "date")
        case .token, .response: return token(text)
        case .description: return standIns.description(text)
        case .phrase: return standIns.learn(phrase: text)
        case .loginHint: return loginHint(text)
        case .digest: return digest(text)
        case .claimNames: return claimName(text)
        case .claims: return free(text, "text")
        case .rawQuery: return rawQuery(text)
        }
    }

    /// A text of a member that no rule is made for.
    private func unruled(_ text: String, _ name: String, _ place: MemberPlace) -> String {
        switch place {
        case .event: return standIns.keep(text)
        case .settings where MemberRules.settingWords.containsIdentical(text):
            return standIns.keep(text)
        case .settings, .message, .claims, .header: return free(text, "text", in: place)
        }
    }

    /// Free text: a token or an address keeps its form.
    private func free(
        _ text: String, _ kind: String, in place: MemberPlace = .message
    ) -> String {
        if let known = standIns.known(text) { return known }
        if TokenText.looksSigned(text) { return token(text) }
        if text.hasPrefix("https://") || text.hasPrefix("http://") { return standIns.url(text) }
        if text.hasPrefix("/"), place == .settings { return standIns.path(text) }
        return standIns.text(text, kind)
    }

    private func plainWord(_ text: String, _ kind: String) -> String {
        if let known = standIns.known(text) { return known }
        let letters = String(standIns.next(kind)).utf8.map { $0 + 0x31 }
        let standIn = "\(kind)-" + String(decoding: letters, as: UTF8.self)
        standIns.remember(text, as: standIn)
        return standIn
    }

    private func list(_ text: String, _ entry: (String) -> String) -> String {
        let standIn = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            .map { entry(String(decoding: Array($0), as: UTF8.self)) }.joined(separator: " ")
        return standIn.isIdentical(to: text) ? standIns.keep(text) : standIn
    }

    /// A class that hides no number of a person stands in the clear anyhow. Of another one only
    /// the level stays that it says.
    private func acr(_ text: String) -> String {
        if RegisteredNames.isHarmlessACR(text) { return standIns.keep(text) }
        if text.isEmpty { return text }
        if let known = standIns.known(text) { return known }
        let levels = text.split(separator: ";", omittingEmptySubsequences: false).dropFirst()
            .filter { $0.hasPrefix("LOA=") && $0.utf8.count <= 6 }
        let standIn = (["acr-\(standIns.next("acr"))#"] + levels.map(String.init))
            .joined(separator: ";")
        standIns.remember(text, as: standIn)
        return standIn
    }

    /// An id that may stand in the clear gets one that may, and the other way round.
    func keyID(_ text: String) -> String {
        if text.isIdentical(to: RegisteredNames.other) { return standIns.keep(text) }
        if let known = standIns.known(text) { return known }
        return standIns.text(text, RegisteredNames.isKeyID(text) ? "key" : "unlisted key")
    }

    private func host(_ text: String) -> String {
        guard text.hasPrefix("*.") else { return standIns.authority(text) }
        return "*." + standIns.authority(String(text.dropFirst(2)))
    }

    private func redirectURI(_ text: String) -> String {
        if text.isEmpty || text.hasPrefix("https://") || text.hasPrefix("http://") {
            return standIns.url(text)
        }
        if let known = standIns.known(text) { return known }
        let standIn = "app-\(standIns.next("app"))://callback"
        standIns.remember(text, as: standIn)
        return standIn
    }

    /// A hint names a person in its last part.
    private func loginHint(_ text: String) -> String {
        if let known = standIns.known(text) { return known }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let standIn = parts.enumerated().map { index, part in
            MemberRules.hintWords.containsIdentical(part) && index < parts.count - 1
                ? standIns.keep(part) : standIns.text(part, "person")
        }.joined(separator: ":")
        standIns.remember(text, as: standIn)
        return standIn
    }

    private func digest(_ text: String) -> String {
        Digest(base64URL: text).flatMap { documents[$0] }?.base64URL ?? free(text, "digest")
    }

    private func token(_ text: String) -> String {
        if let known = standIns.known(text) { return known }
        let standIn = TokenText(text, self).standIn
        if !text.isEmpty { standIns.remember(text, as: standIn) }
        return standIn
    }

    // MARK: - Messages

    /// A recorded answer of a provider, whose body is a text of its own.
    private func response(_ response: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in response.members {
            switch (member.name, member.value) {
            case ("status", let status): result[member.name] = status
            case ("mediaType", .string(let type)):
                result[member.name] = .string(
                    MemberRules.mediaTypes.containsIdentical(type)
                        ? standIns.keep(type) : "application/octet-stream")
            case ("body", .string(let text)):
                result[member.name] = .string(
                    Base64URL.encode(body(Base64URL.decode(text) ?? [])))
            default:
                result[name(member.name, in: .message)] = value(
                    member.value,
                    rule: MemberRules.rule(for: member.name, in: .message), member.name, .message)
            }
        }
        return result
    }

    private func body(_ bytes: [UInt8]) -> [UInt8] {
        if let text = String(validating: bytes, as: UTF8.self), TokenText.looksSigned(text) {
            return Array(token(text).utf8)
        }
        return json(bytes, .claims)
    }

    /// A text of JSON with its members in their order, or one that is as far from being JSON.
    func json(_ bytes: [UInt8], _ place: MemberPlace) -> [UInt8] {
        do throws(JSONError) {
            let value = try JSONReader.read(bytes, numbers: .anyAsText)
            guard let object = value.objectValue else { return Array("[]".utf8) }
            return OrderedJSON.encode(.object(self.object(object, place)))
        } catch {
            return BrokenJSON.text(with: error.problem)
        }
    }

    /// A callback that could not be read, with what made it so.
    private func rawQuery(_ raw: String) -> String {
        let bytes = raw.utf8.filter { $0 != 0x0D && $0 != 0x0A }
        let front = bytes.prefix { $0 != UInt8(ascii: "#") }
        let fragment = bytes.dropFirst(front.count)
        var result = ""
        var query = front[...]
        let first = front.first { ":/?=&".utf8.contains($0) }
        if first.map({ ":/?".utf8.contains($0) }) ?? false {
            let address = front.prefix { $0 != UInt8(ascii: "?") }
            result += standIns.url(String(decoding: Array(address), as: UTF8.self))
            query = front.dropFirst(address.count + 1)
            if address.count < front.count { result += "?" }
        }
        result += parameters(String(decoding: Array(query), as: UTF8.self))
        guard !fragment.isEmpty else { return result }
        return result + "#"
            + parameters(String(decoding: Array(fragment.dropFirst()), as: UTF8.self))
    }

    private func parameters(_ text: String) -> String {
        guard let parameters = FormEncoding.decode(text) else { return "code=%zz" }
        return FormEncoding.encode(
            parameters.map { parameter in
                let isKnown = MemberRules.parameterNames.containsIdentical(parameter.name)
                return FormEncoding.Parameter(
                    isKnown ? parameter.name : standIns.text(parameter.name, "parameter"),
                    self.text(
                        parameter.value, MemberRules.rule(for: parameter.name, in: .claims),
                        parameter.name, .message))
            })
    }
}
