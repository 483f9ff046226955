using Mesh.Identity;

namespace Mesh.ControlPlane.Security;

/// <summary>The service accounts that a credential stands for: <c>namespace/account</c>, <c>namespace/*</c> for all of a namespace, <c>*</c> for any.</summary>
internal sealed class AccountSet
{
    private readonly HashSet<(string Namespace, string Account)> _accounts = [];
    private readonly HashSet<string> _namespaces = new(StringComparer.Ordinal);

    private AccountSet()
    {
    }

    /// <summary>Any account.</summary>
    public static AccountSet Any { get; } = new() { IsAny = true };

    public bool IsAny { get; private init; }

    /// <summary>The account, when there is exactly one.</summary>
    public (string Namespace, string Account)? Single => !IsAny && _namespaces.Count == 0 && _accounts.Count == 1 ? _accounts.First() : null;

    public static AccountSet Of(string @namespace, string account)
    {
        var set = new AccountSet();
        set._accounts.Add((@namespace, account));
        return set;
    }

    /// <exception cref="FormatException">An entry is none.</exception>
    public static AccountSet Parse(IEnumerable<string> entries)
    {
        var set = new AccountSet();
        foreach (var entry in entries)
        {
            if (entry == "*")
            {
                return Any;
            }

            if (entry.Split('/') is not [var ns, var account] || !IsName(ns) || (account != "*" && !IsName(account)))
            {
                throw new FormatException($"\"{entry}\" is no service account: write namespace/account, or namespace/* for all of a namespace");
            }

            if (account == "*")
            {
                set._namespaces.Add(ns);
            }
            else
            {
                set._accounts.Add((ns, account));
            }
        }

        return set;
    }

    public bool Contains(string @namespace, string account) => IsAny || _namespaces.Contains(@namespace) || _accounts.Contains((@namespace, account));

    /// <summary>Whether one of its accounts is in a namespace.</summary>
    public bool IsOf(string @namespace) => IsAny || _namespaces.Contains(@namespace) || _accounts.Any(account => account.Namespace == @namespace);

    public override string ToString()
        => IsAny ? "*" : string.Join(", ", _namespaces.Select(ns => ns + "/*").Concat(_accounts.Select(a => $"{a.Namespace}/{a.Account}")).Order(StringComparer.Ordinal));

    private static bool IsName(string text) => text != "*" && SpiffeId.TryParse($"spiffe://x/{text}", out var id) && id.Path == "/" + text;
}
