using System.Collections;
using System.Collections.Frozen;
using System.Text.Json;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Json;
using Xds.Type.V3;

namespace Mesh.Xds.Redaction;

/// <summary>
/// Takes out of messages of the wire what nobody may read: keys, passwords, tokens, values of headers that let somebody in, symmetric keys of tokens,
/// user names and passwords in addresses. Names of files and of secrets stay. What cannot be looked into is told by its size alone.
/// </summary>
internal sealed class MessageRedaction
{
    private const int MaxDepth = 64;

    private static readonly ByteString RedactedBytes = ByteString.CopyFromUtf8(CredentialHeaders.Redacted);

    // What Envoy marks as sensitive, by the names of its fields.
    private static readonly FrozenSet<string> SensitiveFields = FrozenSet.ToFrozenSet(
        [
            "private_key", "private_key_provider", "pkcs12", "password", "session_ticket_keys", "generic_secret", "hmac_secret", "token_secret", "client_secret", "api_key",
            "auth_password", "access_token", "refresh_token", "google_refresh_token", "json_key", "secret_access_key", "session_token",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenSet<string> PrivateKeyMembers = FrozenSet.ToFrozenSet(["k", "d", "p", "q", "dp", "dq", "qi", "oth"], StringComparer.Ordinal);

    /// <summary>Fields that say what the value beside them is of.</summary>
    private static readonly string[] Names = ["name", "key", "header_name"];

    private bool _hasUnknown;

    private MessageRedaction()
    {
    }

    /// <summary>A copy of a message without what nobody may read.</summary>
    public static T Of<T>(T message)
        where T : IMessage
    {
        var copy = (T)message.Descriptor.Parser.ParseFrom(message.ToByteString());
        new MessageRedaction().Redact(copy, 0);
        return copy;
    }

    /// <summary>A resource as it was received or sent; one that cannot be read is not shown.</summary>
    public static Any Of(string typeUrl, ByteString body)
    {
        var any = new Any { TypeUrl = typeUrl, Value = body };
        new MessageRedaction().Redact(any, 0);
        return any;
    }

    /// <summary>The same for those to whom a message is not to be shown that holds anything of a kind that is not known here.</summary>
    /// <returns><see langword="null"/> when it does.</returns>
    public static IMessage? OfKnown(IMessage message)
    {
        var redaction = new MessageRedaction();
        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteString());
        redaction.Redact(copy, 0);
        return redaction._hasUnknown ? null : copy;
    }

    private void Redact(IMessage message, int depth)
    {
        if (depth > MaxDepth)
        {
            Clear(message);
            return;
        }

        switch (message)
        {
            case Any any:
                Redact(any, depth);
                return;
            case HeaderValue header when IsCredential(header.Key):
                header.Value = header.Value.Length > 0 ? CredentialHeaders.Redacted : "";
                header.RawValue = ByteString.Empty;
                return;
            case Envoy.Config.Route.V3.HeaderMatcher matcher when IsCredential(matcher.Name):
                var name = matcher.Name;
                RedactAll(matcher, depth);
                matcher.Name = name;
                return;
            case Struct structure:
                Redact(structure, depth);
                return;
        }

        var isNamed = Array.Exists(Names, field => message.Descriptor.FindFieldByName(field) is { FieldType: FieldType.String, IsRepeated: false } found && IsCredential((string)found.Accessor.GetValue(message)));
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.HasPresence ? field.Accessor.HasValue(message) : field.Accessor.GetValue(message) is not (null or ICollection { Count: 0 }))
            {
                Redact(message, field, isNamed, depth);
            }
        }
    }

    private void Redact(IMessage message, FieldDescriptor field, bool isNamed, int depth)
    {
        var value = field.Accessor.GetValue(message);
        if (field.Name == "local_jwks" && value is DataSource keys)
        {
            RedactKeys(keys);
            return;
        }

        var isSensitive = SensitiveFields.Contains(field.Name)
            || (value is string or ByteString && SecretRedaction.IsSecret(field.Name))
            || (isNamed && SecretRedaction.Values.Contains(SecretRedaction.Plain(field.Name)));
        switch (value)
        {
            case IDictionary map:
                RedactMap(map, depth);
                break;
            case IList list:
                for (var i = 0; i < list.Count; i++)
                {
                    switch (list[i])
                    {
                        case IMessage item:
                            RedactOne(item, isSensitive, depth);
                            break;
                        case string text:
                            list[i] = isSensitive ? CredentialHeaders.Redacted : SecretRedaction.Clean(text) ?? text;
                            break;
                        case ByteString bytes when isSensitive || HasKey(bytes):
                            list[i] = RedactedBytes;
                            break;
                    }
                }

                break;
            case IMessage item:
                RedactOne(item, isSensitive, depth);
                break;
            case string { Length: > 0 } text when (isSensitive ? CredentialHeaders.Redacted : SecretRedaction.Clean(text)) is { } shown:
                field.Accessor.SetValue(message, shown);
                break;
            case ByteString { IsEmpty: false } bytes when isSensitive || HasKey(bytes):
                field.Accessor.SetValue(message, RedactedBytes);
                break;
        }
    }

    private void RedactOne(IMessage item, bool isSensitive, int depth)
    {
        if (isSensitive)
        {
            RedactAll(item, depth + 1);
        }
        else
        {
            Redact(item, depth + 1);
        }
    }

    private void Redact(Any any, int depth)
    {
        if (any.Value.IsEmpty && any.TypeUrl.Length == 0)
        {
            return;
        }

        try
        {
            if (XdsJson.Types.Find(Any.GetTypeName(any.TypeUrl)) is { } type)
            {
                var content = type.Parser.ParseFrom(any.Value);
                Redact(content, depth + 1);
                any.Value = content.ToByteString();
                return;
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Shown like one of an unknown kind.
        }

        _hasUnknown = true;
        Hide(any, "of a kind that is not known here");
    }

    private static void Hide(Any any, string why)
    {
        var told = new TypedStruct { TypeUrl = any.TypeUrl, Value = new Struct() };
        told.Value.Fields["not_shown"] = Value.ForString($"{any.Value.Length} bytes {why}");
        any.TypeUrl = "type.googleapis.com/" + TypedStruct.Descriptor.FullName;
        any.Value = told.ToByteString();
    }

    private void Redact(Struct structure, int depth)
    {
        foreach (var (name, value) in structure.Fields.ToList())
        {
            if (IsSecretName(name))
            {
                structure.Fields[name] = Value.ForString(CredentialHeaders.Redacted);
            }
            else
            {
                Redact(value, depth + 1);
            }
        }
    }

    private void RedactMap(IDictionary map, int depth)
    {
        foreach (var key in map.Keys.Cast<object>().ToList())
        {
            var isSecret = key is string name && IsSecretName(name);
            switch (map[key])
            {
                case IMessage item:
                    RedactOne(item, isSecret, depth);
                    break;
                case string text when (isSecret ? CredentialHeaders.Redacted : SecretRedaction.Clean(text)) is { } shown:
                    map[key] = shown;
                    break;
                case ByteString bytes when isSecret || HasKey(bytes):
                    map[key] = RedactedBytes;
                    break;
            }
        }
    }

    // Whatever is in it; where it is to be found may be said.
    private static void RedactAll(IMessage message, int depth)
    {
        if (depth > MaxDepth)
        {
            Clear(message);
            return;
        }

        if (message is Any { TypeUrl.Length: > 0 } any)
        {
            Hide(any, "that nobody may read");
            return;
        }

        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (message is DataSource && field.Name is "filename" or "environment_variable" or "watched_directory")
            {
                continue;
            }

            switch (field.HasPresence && !field.Accessor.HasValue(message) ? null : field.Accessor.GetValue(message))
            {
                case IDictionary map:
                    map.Clear();
                    break;
                case IList list:
                    for (var i = 0; i < list.Count; i++)
                    {
                        switch (list[i])
                        {
                            case IMessage item:
                                RedactAll(item, depth + 1);
                                break;
                            case string:
                                list[i] = CredentialHeaders.Redacted;
                                break;
                            case ByteString:
                                list[i] = RedactedBytes;
                                break;
                        }
                    }

                    break;
                case IMessage item:
                    RedactAll(item, depth + 1);
                    break;
                case string { Length: > 0 }:
                    field.Accessor.SetValue(message, CredentialHeaders.Redacted);
                    break;
                case ByteString { IsEmpty: false }:
                    field.Accessor.SetValue(message, RedactedBytes);
                    break;
            }
        }
    }

    // Deeper than anybody looks.
    private static void Clear(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            field.Accessor.Clear(message);
        }

        if (message is Value value)
        {
            // One that says nothing cannot be written.
            value.NullValue = NullValue.NullValue;
        }
    }

    // Public keys may be read; a set in which there is a private or a symmetric one may not, nor what is no set of keys.
    private static void RedactKeys(DataSource keys)
    {
        var text = keys.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineString => keys.InlineString,
            DataSource.SpecifierOneofCase.InlineBytes => keys.InlineBytes.ToStringUtf8(),
            _ => null,
        };
        if (text is not null && !ArePublic(text))
        {
            keys.InlineString = CredentialHeaders.Redacted;
        }
    }

    private static bool ArePublic(string text)
    {
        try
        {
            using var set = JsonDocument.Parse(text);
            return set.RootElement.TryGetProperty("keys", out var keys)
                && keys.EnumerateArray().All(key => key.EnumerateObject().All(member => !PrivateKeyMembers.Contains(member.Name)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool HasKey(ByteString bytes) => bytes.Span.IndexOf("PRIVATE KEY-----"u8) >= 0;

    private static bool IsCredential(string name) => CredentialHeaders.ArePersonal(name) || SecretRedaction.IsSecret(name);

    private static bool IsSecretName(string name)
        => IsCredential(name)
            || name.Contains("password", StringComparison.OrdinalIgnoreCase)
            || name.Contains("secret", StringComparison.OrdinalIgnoreCase)
            || name.Contains("token", StringComparison.OrdinalIgnoreCase)
            || name.Contains("privatekey", StringComparison.OrdinalIgnoreCase)
            || name.Contains("private_key", StringComparison.OrdinalIgnoreCase)
            || name.Contains("apikey", StringComparison.OrdinalIgnoreCase);
}
