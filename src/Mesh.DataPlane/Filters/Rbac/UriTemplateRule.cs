using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Holds the path against a template.</summary>
/// <param name="template">The template.</param>
/// <param name="lenient">Its wildcards take any character.</param>
internal sealed class UriTemplateRule(UriTemplate template, bool lenient) : RbacRule
{
    private readonly RbacKey? _key = template.Prefix.Length > 1 ? new RbacKey(RbacKeyKind.Path, "", template.Prefix, IsPrefix: true, IgnoreCase: false) : null;

    public override bool IsMatch(scoped in RbacRequest request)
        => request.IsHttp
            && request.View.Path.StartsWith(template.Prefix, StringComparison.Ordinal)
            && (lenient ? template.Wide : template.Strict).IsFullMatch(request.View.Path);

    public override RbacKeySet? Keys(RbacKeyCosts costs) => costs.SetOf(_key);

    public override void AddKeys(RbacKeyCosts costs) => costs.Add(_key);
}
