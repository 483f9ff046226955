using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Mirroring;

/// <summary>One change to a copy's headers: what sets or removes one by name, or removes all whose names match.</summary>
internal sealed record MirrorHeader(HeaderMutations? Mutations, StringMatcher? Removes)
{
    /// <returns>Whether the copy can still be sent.</returns>
    public bool Apply(HeaderMap headers, in FormatContext context)
    {
        if (Removes is { } matcher)
        {
            foreach (var name in headers.Names.ToArray())
            {
                // The Host header stands for the authority.
                if (matcher.IsMatch(name.ToLowerInvariant()) && !name.Equals("host", StringComparison.OrdinalIgnoreCase))
                {
                    headers.Remove(new HeaderName(name));
                }
            }
        }

        return Mutations?.Apply(headers, context) is null;
    }
}
