using System.Net;

// A control plane as people host one, alone in its process so that a test can kill it: <address:port> <folder of YAML>.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Mesh", LogLevel.Information);
var at = IPEndPoint.Parse(args[0]);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(at.Address, at.Port));
builder.Services.AddMeshControlPlane(controlPlane => controlPlane.ConfigFolder = args[1]);
var app = builder.Build();
app.MapMeshXds();
app.MapMeshMonitoring();
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening on {app.Urls.First()}"));
app.Run();
