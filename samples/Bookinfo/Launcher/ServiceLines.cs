namespace Bookinfo.Launcher;

/// <summary>The lines of the services on their way to the terminal.</summary>
/// <remarks>
/// While the services find one another, warnings are expected: the last one of each service is held back, and shown only if the page stays
/// incomplete. The same line again and again is shown once.
/// </remarks>
internal sealed class ServiceLines(LauncherConsole console, string folder, bool verbose)
{
    private const string ControlPlane = "control-plane";

    // The folder is told once at the start; a diagnostic then begins with file:line:column.
    private readonly string _folderPrefix = folder + Path.DirectorySeparatorChar;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (ServiceProcess Process, string Text)> _last = new(StringComparer.Ordinal);
    private bool _hold = !verbose;
    private bool _isStopping;

    public void Add(ServiceProcess process, string text)
    {
        lock (_lock)
        {
            var isRepeated = _last.TryGetValue(process.Name, out var last) && last.Text == text;
            _last[process.Name] = (process, text);
            if (!isRepeated && (verbose || IsOfInterest(process, text)))
            {
                Write(process, text);
            }
        }
    }

    /// <summary>From now on services leave because they were told to.</summary>
    public void Stopping()
    {
        lock (_lock)
        {
            _isStopping = true;
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

    /// <summary>Problems in somebody's YAML always, the rest when everything runs; coming and going is expected at both ends.</summary>
    private bool IsOfInterest(ServiceProcess process, string text)
        => IsProblem(text) ? !_hold || process.Name == ControlPlane : !_hold && !_isStopping;

    private static bool IsProblem(string text) => text.StartsWith("fail ", StringComparison.Ordinal) || text.StartsWith("warn ", StringComparison.Ordinal);

    private void Write(ServiceProcess process, string text)
        => console.Service(process.Name, process.Number, text.Replace(_folderPrefix, "", StringComparison.Ordinal), IsProblem(text));
}
