// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL
internal import Platform

/// Where a ledger's root key comes from. `custody.json` in the key directory says so; without it
/// the key is in the file `root.key` beside it.
enum RootKeySource: Equatable {
    /// The file `root.key` of the key directory, which the ledger itself makes and replaces.
    case own
    /// Another file, which somebody else looks after.
    case file(String)
    /// A variable of the environment.
    case environment(String)
    /// What a program prints; never through a shell, so its arguments are taken as they are.
    case command([String], timeoutSeconds: Int)

    static let configurationName = "custody.json"
    /// More than the base64 of a key and a newline needs.
    static let bytesMax = 1024
    static let expectation = """
        it must be {"rootKey": …} with one of {"file": "/path"}, {"environment": "NAME"} and \
        {"command": ["/path", …]}, this with "timeoutSeconds" from 1 to 600 if wanted
        """

    /// Reads what a key directory says; a program named in it could be anyone's if others may
    /// write the file, so then it is refused.
    init(configuredIn directory: String) throws {
        let path = directory + "/" + Self.configurationName
        guard Directory.exists(path) else {
            self = .own
            return
        }
        guard try Directory.permissions(of: path) & 0o022 == 0 else {
            throw LedgerError.custodyInvalid(path, "others than its owner may write it")
        }
        let bytes = try File(path, .reading).readAll(limit: 65_536)
        guard let source = Self(parsing: bytes) else {
            throw LedgerError.custodyInvalid(path, Self.expectation)
        }
        self = source
    }

    /// Reads the content of a `custody.json`; nil when it is not of its form.
    init?(parsing bytes: [UInt8]) {
        guard let object = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            object.members.count == 1, let source = object["rootKey"]?.objectValue
        else { return nil }
        let names = Set(source.members.map(\.name))
        if names == ["file"], let path = source["file"]?.stringValue, path.hasPrefix("/") {
            self = .file(path)
        } else if names == ["environment"], let name = source["environment"]?.stringValue,
            Self.isVariable(name)
        {
            self = .environment(name)
        } else if names.subtracting(["timeoutSeconds"]) == ["command"],
            let words = source["command"]?.arrayValue?.map(\.stringValue),
            let program = words.first, program?.hasPrefix("/") == true,
            !words.contains(where: { $0 == nil || $0?.utf8.contains(0) == true })
        {
            let seconds = source["timeoutSeconds"].map { $0.integerValue ?? 0 } ?? 30
            guard (1...600).contains(seconds) else { return nil }
            self = .command(words.compactMap { $0 }, timeoutSeconds: Int(seconds))
        } else {
            return nil
        }
    }

    private static func isVariable(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
            }
    }

    /// What a person is told of it; never the key.
    var words: String {
        switch self {
        case .own: "root.key in the key directory"
        case .file(let path): path
        case .environment(let name): "the environment variable \(name)"
        case .command(let words, _): "the program \(words[0])"
        }
    }

    /// The text of the key, which the caller overwrites.
    func read(ownPath: String) throws -> [UInt8] {
        switch self {
        case .own:
            guard Directory.exists(ownPath) else { throw LedgerError.rootKeyMissing(ownPath) }
            return try File(ownPath, .reading).readAll(limit: Self.bytesMax)
        case .file(let path):
            guard Directory.exists(path) else { throw LedgerError.rootKeyMissing(path) }
            return try File(path, .reading).readAll(limit: Self.bytesMax)
        case .environment(let name):
            guard let value = ProcessControl.environment(name) else {
                throw LedgerError.rootKeyUnavailable(words, "it is not set")
            }
            return Array(value.utf8)
        case .command(let command, let seconds):
            do {
                return try ChildProcess.output(
                    of: command, bytesMax: Self.bytesMax, timeoutMilliseconds: seconds * 1000)
            } catch {
                throw LedgerError.rootKeyUnavailable(words, error.words)
            }
        }
    }
}

extension CommandFailure {
    fileprivate var words: String {
        switch self {
        case .notStarted(let error): error.description
        case .failed(.exited(let status)): "it ended with status \(status)"
        case .failed(.signalled(let signal)): "it was ended by signal \(signal)"
        case .tookTooLong: "it took too long and was ended"
        case .tooMuch: "it printed more than a key"
        }
    }
}

extension RootKey {
    /// Takes the base64 of 32 bytes, with a newline at its end or without; nil for anything else.
    static func read(_ text: [UInt8]) -> RootKey? {
        let line = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        guard var bytes = Base64.decode(line) else { return nil }
        let secret = SecretBytes(bytes)
        cleanse(&bytes)
        return secret.count == byteCount ? RootKey(secret: secret) : nil
    }

    /// The text that ``read(_:)`` takes, which the caller overwrites.
    var text: [UInt8] {
        var bytes = secret.exposed
        defer { cleanse(&bytes) }
        var text = Base64.encoded(bytes)
        text.append(UInt8(ascii: "\n"))
        return text
    }

    func isSame(as other: RootKey) -> Bool {
        isEqualInConstantTime(checkValue, other.checkValue)
    }
}
