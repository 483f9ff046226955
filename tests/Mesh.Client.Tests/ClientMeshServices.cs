using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Tests.Telemetry;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests;

/// <summary>The services of an application before it has switched the mesh on.</summary>
internal sealed class ClientMeshServices
{
    private readonly ScriptedXdsClient _xds = new();
    private readonly RecordedLogs _logs = new();
    private readonly RecordLedger _records = new();

    public ClientMeshServices()
    {
        Services.AddLogging(l => l.AddProvider(_logs));
        Services.AddSingleton<IXdsClient>(_xds);
        Services.AddSingleton<RequestSink>(_records);
    }

    public ScriptedXdsClient Xds => _xds;

    public ServiceCollection Services { get; } = [];

    public ClientMesh Build() => new(Services.BuildServiceProvider(), _xds, _logs, _records);
}
