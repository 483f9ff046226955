namespace Mesh.ControlPlane.Model;

/// <summary>To which namespaces a document is visible (<c>exportTo</c>).</summary>
internal sealed class Visibility
{
    public static readonly Visibility Public = new(null);

    private readonly HashSet<string>? _namespaces;

    private Visibility(HashSet<string>? namespaces) => _namespaces = namespaces;

    /// <summary>Reads <c>exportTo</c>: <c>.</c> is the document's own namespace, <c>*</c> all, <c>~</c> none; empty means what the mesh says, else all.</summary>
    public static Visibility Of(IReadOnlyCollection<string> exportTo, string ownNamespace, IReadOnlyCollection<string> @default)
    {
        exportTo = exportTo.Count == 0 ? @default : exportTo;
        if (exportTo.Count == 0 || exportTo.Contains("*"))
        {
            return Public;
        }

        var namespaces = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in exportTo)
        {
            if (name != "~")
            {
                namespaces.Add(name == "." ? ownNamespace : name);
            }
        }

        return new Visibility(namespaces);
    }

    /// <summary>Whether some namespace sees both.</summary>
    public bool Overlaps(Visibility other)
        => _namespaces is null
            ? other._namespaces is null or { Count: > 0 }
            : other._namespaces is null ? _namespaces.Count > 0 : _namespaces.Overlaps(other._namespaces);

    /// <summary>Whether some namespace besides these sees both.</summary>
    public bool Overlaps(Visibility other, params string[] except)
        => (_namespaces, other._namespaces) switch
        {
            (null, null) => true,
            (null, { } named) => named.Except(except).Any(),
            ({ } named, null) => named.Except(except).Any(),
            var (left, right) => left.Intersect(right).Except(except).Any(),
        };

    /// <summary>Whether the same namespaces see both.</summary>
    public bool Equals(Visibility other)
        => _namespaces is null || other._namespaces is null ? ReferenceEquals(_namespaces, other._namespaces) : _namespaces.SetEquals(other._namespaces);

    /// <summary>Whether a namespace sees it and no other does.</summary>
    public bool IsOnly(string @namespace) => _namespaces is { Count: 1 } && _namespaces.Contains(@namespace);

    public bool Includes(string @namespace) => _namespaces is null || _namespaces.Contains(@namespace);
}
