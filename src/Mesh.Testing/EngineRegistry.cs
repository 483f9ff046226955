using Mesh.DataPlane;

namespace Mesh.Testing;

/// <summary>The engines of all applications in a mesh under test.</summary>
internal sealed class EngineRegistry
{
    private readonly Lock _gate = new();
    private readonly HashSet<MeshEngine> _engines = [];

    public IReadOnlyList<MeshEngine> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _engines];
            }
        }
    }

    public MeshEngine Add(MeshEngine engine)
    {
        lock (_gate)
        {
            _engines.Add(engine);
            return engine;
        }
    }
}
