using System.Globalization;
using System.Net;

// A control plane as people host one, alone in its process so that a test can kill it: <port> <folder of YAML>.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Mesh", LogLevel.Information);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture)));
builder.Services.AddMeshControlPlane(controlPlane => controlPlane.ConfigFolder = args[1]);
var app = builder.Build();
app.MapMeshXds();
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening on {app.Urls.First()}"));
app.Run();
