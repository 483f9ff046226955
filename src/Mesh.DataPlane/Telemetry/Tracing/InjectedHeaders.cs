namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>The headers that a trace has been written into, and what stood there before: the caller gets its message back as it was. Kept for the next request.</summary>
internal sealed class InjectedHeaders
{
    private readonly List<(string Name, string[]? Before)> _changes = [];

    public void Set(HttpRequestMessage request, string name, string value)
    {
        string[]? before = null;
        if (request.Headers.NonValidated.TryGetValues(name, out var values))
        {
            if (values.Count == 1 && values.ToString() == value)
            {
                return;
            }

            before = [.. values];
            request.Headers.Remove(name);
        }

        if (request.Headers.TryAddWithoutValidation(name, value) || before is not null)
        {
            _changes.Add((name, before));
        }
    }

    public void Undo(HttpRequestMessage request)
    {
        for (var i = _changes.Count - 1; i >= 0; i--)
        {
            var (name, before) = _changes[i];
            request.Headers.Remove(name);
            if (before is not null)
            {
                request.Headers.TryAddWithoutValidation(name, before);
            }
        }

        _changes.Clear();
    }
}
