namespace Bookinfo.Launcher;

/// <summary>The lines of the services on their way to the terminal.</summary>
/// <remarks>
/// While the services find one another, warnings are expected: the last one of each service is held back, and shown only if the page stays
/// incomplete. The same line again and again is shown once.
/// </remarks>
internal sealed class ServiceLines(LauncherConsole console, bool hold)
{
    private const string ControlPlane = "control-plane";
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (ServiceProcess Process, string Text)> _last = new(StringComparer.Ordinal);
    private bool _hold = hold;

    public void Add(ServiceProcess process, string text)
    {
        lock (_lock)
        {
            var isRepeated = _last.TryGetValue(process.Name, out var last) && last.Text == text;
            _last[process.Name] = (process, text);
            // What the control plane says is about the person's YAML: never held.
            if (!isRepeated && (!_hold || process.Name == ControlPlane))
            {
                Write(process, text);
            }
        }
    }

    /// <summary>The services have found one another, or not (<paramref name="write"/>).</summary>
    public void Release(bool write)
    {
        lock (_lock)
        {
            if (!_hold)
            {
                return;
            }

            _hold = false;
            foreach (var (process, text) in _last.Values.Where(line => write && line.Process.Name != ControlPlane))
            {
                Write(process, text);
            }
        }
    }

    private void Write(ServiceProcess process, string text)
        => console.Service(process.Name, process.Number, text, text.StartsWith("fail ", StringComparison.Ordinal) || text.StartsWith("warn ", StringComparison.Ordinal));
}
