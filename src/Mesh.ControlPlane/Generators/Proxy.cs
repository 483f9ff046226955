namespace Mesh.ControlPlane.Generators;

/// <summary>What generators may know of a client: everything that its resources can depend on.</summary>
internal sealed class Proxy(ProxyKind kind, string @namespace, IReadOnlyDictionary<string, string> labels)
{
    public ProxyKind Kind { get; } = kind;

    public string Namespace { get; } = @namespace;

    public IReadOnlyDictionary<string, string> Labels { get; } = labels;

    /// <summary>Equal for equal labels: clients that differ in nothing share their resources.</summary>
    public string LabelsKey { get; } = string.Join(
        '\0',
        labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}\0{label.Value}"));
}
