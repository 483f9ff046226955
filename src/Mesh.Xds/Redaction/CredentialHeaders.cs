using System.Collections.Frozen;

namespace Mesh.Xds.Redaction;

/// <summary>Headers whose values let in whoever knows them: no dump, log or explanation shows them.</summary>
internal static class CredentialHeaders
{
    /// <summary>What stands in the place of a value.</summary>
    public const string Redacted = "[redacted]";

    private static readonly FrozenSet<string> Words = FrozenSet.ToFrozenSet(
        ["authorization", "authentication", "auth", "token", "secret", "password", "passwd", "credential", "credentials", "apikey", "jwt", "signature", "assertion"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Personal = FrozenSet.ToFrozenSet(["cookie", "session", "sessionid", "sid", "csrf", "xsrf"], StringComparer.OrdinalIgnoreCase);

    /// <summary>By its name: <c>authorization</c>, <c>x-api-key</c>, <c>x-vault-token</c> …</summary>
    public static bool Contains(string name) => HasWord(name, Words) || name.Contains("api-key", StringComparison.OrdinalIgnoreCase) || name.Contains("api_key", StringComparison.OrdinalIgnoreCase);

    /// <summary>Those, and what a request carries of somebody's session: cookies.</summary>
    public static bool ArePersonal(string name) => Contains(name) || HasWord(name, Personal);

    private static bool HasWord(string name, FrozenSet<string> words)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var range in name.AsSpan().SplitAny('-', '_', '.'))
        {
            if (lookup.Contains(name.AsSpan(range)))
            {
                return true;
            }
        }

        return false;
    }
}
