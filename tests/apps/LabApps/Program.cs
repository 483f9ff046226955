using LabApps;

// dotnet LabApps.dll <application> [--urls http://127.0.0.1:0] [--Mesh:Xds:Server http://…:15010] [--Mesh:Workload:Version v1] …
if (args is not [var name, ..] || !LabApp.All.TryGetValue(name, out var lab))
{
    await Console.Error.WriteLineAsync($"Which application? {string.Join(", ", LabApp.All.Keys)}.");
    return 1;
}

await using var app = lab.Build(args[1..]);
await app.StartAsync();
await Console.Out.WriteLineAsync($"listening on {string.Join(", ", app.Urls)}");
await app.WaitForShutdownAsync();
return 0;
