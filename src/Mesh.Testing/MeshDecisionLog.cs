using System.Collections;

namespace Mesh.Testing;

/// <summary>The last decisions of every client of a mesh, oldest first. Reading it takes a copy: it may go on growing meanwhile.</summary>
public sealed class MeshDecisionLog : IReadOnlyCollection<MeshDecision>
{
    private readonly Queue<MeshDecision> _decisions = [];
    private readonly Lock _gate = new();
    private readonly int _capacity;

    internal MeshDecisionLog(int capacity) => _capacity = capacity;

    /// <summary>How many decisions are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _decisions.Count;
            }
        }
    }

    /// <summary>Forgets all decisions so far.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _decisions.Clear();
        }
    }

    /// <inheritdoc/>
    public IEnumerator<MeshDecision> GetEnumerator()
    {
        lock (_gate)
        {
            return ((IEnumerable<MeshDecision>)_decisions.ToArray()).GetEnumerator();
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(MeshDecision decision)
    {
        lock (_gate)
        {
            if (_decisions.Count == _capacity)
            {
                _decisions.Dequeue();
            }

            _decisions.Enqueue(decision);
        }
    }
}
