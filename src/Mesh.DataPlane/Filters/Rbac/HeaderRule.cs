using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Looks at a header, line by line; at the host's name also in its canonical form, and at HEAD also as the GET that it is but for the body.</summary>
/// <param name="matcher">What it has to be.</param>
/// <param name="lenient">One reading will do; otherwise each has to match.</param>
internal sealed class HeaderRule(HeaderMatcher matcher, bool lenient) : RbacRule
{
    private const string Get = "GET";

    public override bool IsMatch(scoped in RbacRequest request)
    {
        if (!request.IsHttp)
        {
            return false;
        }

        if (lenient)
        {
            return matcher.IsMatchOfAny(request.View) || (OtherReading(request) is { } other && matcher.IsMatchOf(other));
        }

        return matcher.IsMatchOfEvery(request.View) && (OtherReading(request) is not { } another || matcher.IsMatchOf(another));
    }

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(Key());

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(Key());

    // A matcher that is for any value has no key: not finding the header finds nothing.
    private RbacKey? Key() => RbacKey.Of(RbacKeyKind.Header, matcher.Wanted, matcher.Name.Value is "host" ? ":authority" : matcher.Name.Value);

    /// <summary>How else what the header says may be written; <see langword="null"/> when there is no other way.</summary>
    public static string? OtherReading(scoped in RbacRequest request, PseudoHeader pseudo)
        => pseudo switch
        {
            PseudoHeader.Authority => request.CanonicalAuthority,
            PseudoHeader.Method when request.View.Method == "HEAD" => Get,
            _ => null,
        };

    // What allows HEAD by name does so whether or not it allows GET.
    private string? OtherReading(scoped in RbacRequest request)
        => lenient || matcher.Invert || matcher.Name.Pseudo != PseudoHeader.Method ? OtherReading(request, matcher.Name.Pseudo) : null;
}
