using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Something by which a policy can be found: a request that lacks it does not match.</summary>
/// <param name="Kind">What it is of.</param>
/// <param name="Header">The header, of <see cref="RbacKeyKind.Header"/>.</param>
/// <param name="Text">Its text.</param>
/// <param name="IsPrefix">Whether it is only the beginning.</param>
/// <param name="IgnoreCase">Whether the case of ASCII letters does not count.</param>
internal readonly record struct RbacKey(RbacKeyKind Kind, string Header, string Text, bool IsPrefix, bool IgnoreCase)
{
    /// <returns><see langword="null"/> when the matcher says nothing about how the text begins.</returns>
    public static RbacKey? Of(RbacKeyKind kind, StringMatcher? matcher, string header = "")
        => matcher switch
        {
            StringMatcher.Exact exact => new RbacKey(kind, header, exact.Text, IsPrefix: false, IgnoreCase: false),
            StringMatcher.ExactIgnoreCase exact => new RbacKey(kind, header, exact.Text, IsPrefix: false, IgnoreCase: true),

            // Every path begins with a slash: that would find all policies for all requests.
            StringMatcher.Prefix { Text.Length: > 1 } prefix => new RbacKey(kind, header, prefix.Text, IsPrefix: true, prefix.IgnoreCase),
            StringMatcher.Regex { Start.Length: > 1 } regex => new RbacKey(kind, header, regex.Start, IsPrefix: true, IgnoreCase: false),
            _ => null,
        };
}

/// <summary>What policies are found by.</summary>
internal enum RbacKeyKind
{
    /// <summary>A name of the peer.</summary>
    Principal,

    Path,

    /// <summary>A header, or a part of the request line that is one in HTTP/2.</summary>
    Header,
}
