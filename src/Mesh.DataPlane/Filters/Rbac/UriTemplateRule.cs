using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Holds the path against a template.</summary>
/// <param name="template">The template.</param>
/// <param name="lenient">Its wildcards take any character.</param>
/// <param name="ignoresCase">The template is in lower case, and paths are read as if they were.</param>
internal sealed class UriTemplateRule(UriTemplate template, bool lenient, bool ignoresCase) : RbacRule
{
    private readonly RbacKey? _key = template.Prefix.Length > 1 ? new RbacKey(RbacKeyKind.Path, "", template.Prefix, IsPrefix: true, IgnoreCase: ignoresCase) : null;

    public override bool IsMatch(scoped in RbacRequest request)
        => request.IsHttp && (ignoresCase ? IsMatch(request.View.Path.ToString().ToLowerInvariant()) : IsMatch(request.View.Path));

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(_key);

    private bool IsMatch(ReadOnlySpan<char> path)
        => path.StartsWith(template.Prefix, StringComparison.Ordinal) && (lenient ? template.Wide : template.Strict).IsFullMatch(path);

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(_key);
}
