using LoadGenerator;

return await LoadCommand.RunAsync(args, Console.Out, Console.Error);
