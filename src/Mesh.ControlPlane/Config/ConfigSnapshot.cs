using Google.Protobuf;

namespace Mesh.ControlPlane.Config;

/// <summary>All valid documents at one moment, in the order of namespace and name; immutable.</summary>
internal sealed class ConfigSnapshot(long version, IReadOnlyList<ConfigResource> resources)
{
    public static ConfigSnapshot Empty { get; } = new(0, []);

    public long Version { get; } = version;

    public IReadOnlyList<ConfigResource> Resources { get; } = resources;

    /// <summary>The documents whose spec is a <typeparamref name="T"/>.</summary>
    public IEnumerable<(ConfigResource Resource, T Spec)> Of<T>()
        where T : class, IMessage
    {
        foreach (var resource in Resources)
        {
            if (resource.Spec is T spec)
            {
                yield return (resource, spec);
            }
        }
    }
}
