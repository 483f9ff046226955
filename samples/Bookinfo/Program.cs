using Bookinfo.Hosting;
using Bookinfo.Launcher;

// Without a role this is the launcher, which starts this same program once per service.
return args is [var role, ..] && !role.StartsWith('-')
    ? await ServiceCommand.RunAsync(role, args[1..])
    : await LauncherCommand.RunAsync(args);
