using System.CommandLine;
using System.Text.Json.Nodes;

namespace Mesh.Cli.Servers;

/// <summary>The control plane that a command asks.</summary>
internal sealed class ControlPlaneServer : IDisposable
{
    private const string Role = "a control plane of Mesh";
    private const string Variable = "MESHCTL_CONTROL_PLANE";

    /// <summary>Where people have it: istiod's port for monitoring, then the port for xDS.</summary>
    private static readonly string[] Usual = ["http://localhost:15014", "http://localhost:15010"];

    private readonly Uri[] _candidates;
    private readonly bool _isNamed;
    private readonly Func<Uri, MeshServer> _open;
    private MeshServer? _server;

    private ControlPlaneServer(Uri[] candidates, bool isNamed, Func<Uri, MeshServer> open)
    {
        _candidates = candidates;
        _isNamed = isNamed;
        _open = open;
    }

    /// <exception cref="CommandException">What is said of it makes no sense.</exception>
    public static ControlPlaneServer Of(ParseResult arguments, CommonOptions options, CliEnvironment environment)
    {
        var named = arguments.GetValue(options.ControlPlane) is { Length: > 0 } option ? (Where: "--control-plane", Text: option)
            : environment.Variable(Variable) is { Length: > 0 } variable ? (Where: Variable, Text: variable)
            : default;
        var access = ServerAccess.Of(arguments, options, environment);
        var timeout = arguments.GetValue(options.Timeout);
        Uri[] candidates = named.Text is null ? [.. Usual.Select(address => new Uri(address))] : [Addresses.Parse(named.Text, named.Where)];
        return new ControlPlaneServer(candidates, named.Text is not null, address => new MeshServer(Role, address, access, timeout, environment.Time));
    }

    /// <summary>A page under <c>/debug</c>.</summary>
    /// <param name="page">Its name.</param>
    /// <param name="cancellationToken">Ends waiting.</param>
    /// <param name="query">Its parameters; those without a value are left out.</param>
    /// <exception cref="CommandException">There is none, and why.</exception>
    public async Task<JsonNode> ReadAsync(string page, CancellationToken cancellationToken, params (string Name, string? Value)[] query)
    {
        var parameters = string.Join('&', query.Where(parameter => parameter.Value is not null).Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
        return await GetAsync($"debug/{page}{(parameters.Length > 0 ? "?" + parameters : "")}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Anything else that it says.</summary>
    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken)
    {
        if (_server is not null)
        {
            return await _server.GetJsonAsync(path, cancellationToken).ConfigureAwait(false);
        }

        // The first place where somebody answers is the one.
        foreach (var candidate in _candidates)
        {
            var server = _open(candidate);
            try
            {
                var answer = await server.GetJsonAsync(path, cancellationToken).ConfigureAwait(false);
                _server = server;
                return answer;
            }
            catch (UnreachableServerException) when (!_isNamed)
            {
                // The next one, then.
            }
            finally
            {
                if (!ReferenceEquals(_server, server))
                {
                    server.Dispose();
                }
            }
        }

        throw new UnreachableServerException(
            $"there is no control plane at {string.Join(" or ", _candidates.Select(c => c.GetLeftPart(UriPartial.Authority)))}: start one, or say where it is with --control-plane http://host:port or {Variable}");
    }

    /// <summary>Where it was found, or is looked for.</summary>
    public Uri Address => _server?.Address ?? _candidates[0];

    /// <summary>Whether somebody said where it is.</summary>
    public bool IsNamed => _isNamed;

    public void Dispose() => _server?.Dispose();
}
